/** What a fault script makes of a request, at any of the simulated venues. */

import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultPlan } from './fault-plan.js'
import { reply, type Act } from './http-host.js'

/** Answers a request, wrongly when its turn has come. */
export async function answerByPlan(
  plan: FaultPlan,
  { method, url }: Request,
  act: Act,
  socket: Duplex,
): Promise<Response> {
  const fault = plan.onRequest(method, new URL(url).pathname)
  if (fault === undefined) return act()
  const done = fault.fault === 'slow' || fault.taken ? await act() : undefined
  switch (fault.fault) {
    case 'slow':
      await sleep(fault.byMs, undefined, { ref: false })
      return done ?? new Response()
    case 'hang_up':
      socket.destroy()
      return new Response()
    case 'answer': {
      const { status, body } = fault
      if (typeof body !== 'string') return reply(status, body)
      return new Response(body, { status, headers: { 'content-type': 'text/html' } })
    }
  }
}
