/** Tables of the ledger and how an older file becomes a newer one. */

/** What an event says. The states of an order, and what belongs to a plan, a game or the whole. */
export const LEDGER_KINDS = [
  'seen',
  'denied',
  'stale',
  'duplicate',
  'intent',
  'sent',
  'delayed',
  'filled',
  'partial',
  'none',
  'rejected',
  'unknown',
  /** The venue's own money of a fill. */
  'money',
  /** A fill is final: confirmed, or given up, which a `naked` before it says. */
  'settled',
  /** A plan ended with legs of different size, or one unknown. */
  'naked',
  /** A plan sends nothing more. */
  'done',
  'game_final',
  /** Signals that never came, and nobody has any more. */
  'gap',
  'halted',
  'resumed',
  /** The operator goes on with what an account holds beyond our own fills. */
  'accepted',
] as const
export type LedgerKind = (typeof LEDGER_KINDS)[number]

/** Kinds after which an attempt changes no more; `stale` and `denied` are such when they name an order. */
const FINAL_KINDS = `('filled', 'partial', 'none', 'rejected', 'stale', 'denied')`

/**
 * Each entry brings the file one version up. Version 1: events are only ever appended; the unique indexes are the
 * only dedupe there is: one `seen` per signal, one `intent` and one final event per order. Version 2: how far exec got
 * on each source of signals is found by index. Version 3: what never came of a source is on record, once. Version 4: a
 * fill settles once. Version 5: the orders of a game, and what the
 * operator accepted, are found by index, for what a sale may take.
 */
export const MIGRATIONS: readonly string[] = [
  `create table meta (name text primary key, value text not null) without rowid;
   create table event (
     id integer primary key,
     at_ms integer not null,
     kind text not null,
     signal_id text,
     order_id text,
     game_id text,
     detail text not null,
     body text
   );
   create unique index event_seen on event (signal_id) where kind = 'seen';
   create unique index event_intent on event (order_id) where kind = 'intent';
   create unique index event_final on event (order_id) where order_id is not null and kind in ${FINAL_KINDS};
   create unique index event_money on event (order_id) where kind = 'money';
   create unique index event_game on event (game_id) where kind = 'game_final';
   create index event_halt on event (id) where kind in ('halted', 'resumed');
   create index event_signal on event (signal_id) where signal_id is not null;`,
  `create index event_source on event (json_extract(detail, '$.at.source'), id) where kind = 'seen';`,
  `drop index event_source;
   create index event_source on event (json_extract(detail, '$.at.source'), id) where kind in ('seen', 'gap');
   create unique index event_gap on event (
     json_extract(detail, '$.at.source'), json_extract(detail, '$.at.epoch'), json_extract(detail, '$.from')
   ) where kind = 'gap';`,
  `create unique index event_settled on event (order_id) where kind = 'settled';`,
  `create index event_game_orders on event (game_id) where kind = 'intent';
   create index event_accepted on event (id) where kind = 'accepted';`,
]

/** The last signal of a source that was seen, or is known to be missing for good. */
export const SELECT_LAST_SEEN = `
  select json_extract(detail, '$.at.epoch') as epoch, json_extract(detail, '$.at.seq') as seq from event
  where kind in ('seen', 'gap') and json_extract(detail, '$.at.source') = ? order by id desc limit 1`

/** Every event of signals that sent something in games that are not final, oldest first. */
export const SELECT_OPEN_EXPOSURE = `
  select at_ms, kind, signal_id, order_id, game_id, detail, body from event
  where signal_id in (
    select signal_id from event where kind = 'intent'
      and game_id not in (select game_id from event where kind = 'game_final'))
  order by id`

/** Signals that were seen and of which nothing else is on record: exec died in between. */
export const SELECT_INTERRUPTED = `
  select kind, signal_id, order_id, game_id, detail, body from event as seen
  where kind = 'seen' and not exists (
    select 1 from event where event.signal_id = seen.signal_id
      and kind in ('denied', 'stale', 'intent'))
  order by id`

/** Distinct orders and fills of a ledger. */
export interface OrderTotals {
  /** Order requests that the venue did not refuse, with an outcome or left unknown. */
  readonly orders: number
  /** Of these, the ones of which something has filled for certain. */
  readonly fills: number
}

export const SELECT_TOTALS = `
  select count(distinct order_id) as orders,
    count(distinct case when json_extract(detail, '$.filledE6') > 0 then order_id end) as fills
  from event where order_id is not null
    and (kind in ('filled', 'partial', 'none') or kind = 'unknown' and json_extract(detail, '$.left'))`

/** The last word on the halt latch. */
export const SELECT_HALT = `
  select kind, signal_id, order_id, game_id, detail, body from event
  where kind in ('halted', 'resumed') order by id desc limit 1`

/** What follows an intent, where none came before: each row's `kind` and `order_id`. */
export const SELECT_ORPHANS = `
  select kind, order_id from event as late
  where order_id is not null
    and kind in ('sent', 'delayed', 'filled', 'partial', 'none', 'rejected', 'unknown', 'money', 'settled')
    and not exists (
      select 1 from event where kind = 'intent' and order_id = late.order_id and id < late.id)
  order by id`

/** Orders that ended more than once: the index forbids it, and may have been lost. */
export const SELECT_OVER_AGAIN = `
  select kind, order_id from event
  where order_id is not null and kind in ${FINAL_KINDS}
  group by order_id having count(*) > 1`

/** Orders that ended without a fill and have the money of one. */
export const SELECT_PAID_FOR_NOTHING = `
  select kind, order_id from event as money
  where kind = 'money' and exists (
    select 1 from event where order_id = money.order_id and kind in ${FINAL_KINDS}
      and kind not in ('filled', 'partial'))`

/** Each fill beside what was asked, and what it cost where the venue has told. */
export const SELECT_FILLS = `
  select fill.order_id, json_extract(fill.detail, '$.filledE6') as filled,
    json_extract(intent.detail, '$.sizeE2') as size,
    json_extract(intent.detail, '$.request.limitE4') as limit_e4,
    json_extract(intent.detail, '$.request.venue') as venue,
    json_extract(intent.detail, '$.request.side') as side,
    json_extract(money.detail, '$.cashMicros') as cash
  from event as fill
    join event as intent on intent.kind = 'intent' and intent.order_id = fill.order_id
    left join event as money on money.kind = 'money' and money.order_id = fill.order_id
  where fill.kind in ('filled', 'partial')`
