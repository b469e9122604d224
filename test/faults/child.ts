/** A child's side of `actor.ts`: its config, its commands, its events. It ends with the harness. */

export function readConfig<T>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T
}

export function tell(event: string, fields: object = {}): void {
  process.send?.({ event, ...fields })
}

/** `end` is answered by `stop`, then the process exits. */
export function onCommands<T extends { readonly op: string }>(
  handle: (command: T) => void,
  stop: () => void | Promise<void>,
): void {
  process.on('disconnect', () => process.exit(0))
  process.on('message', (message) => {
    const command = message as T
    if (command.op !== 'end') return handle(command)
    void Promise.resolve(stop()).finally(() => process.exit(0))
  })
}
