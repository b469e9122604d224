/** Venues, outcomes and sides, as the bus and the keys spell them. */

export const VENUES = ['kalshi', 'poly'] as const
export type Venue = (typeof VENUES)[number]

export const ENVS = ['prod', 'demo', 'sim', 'replay'] as const
/** Where the data come from. */
export type Env = (typeof ENVS)[number]

export const MODES = ['paper', 'live'] as const
export type Mode = (typeof MODES)[number]

export type Outcome = 'yes' | 'no'
export type Side = 'buy' | 'sell'

export const isVenue = (text: unknown): text is Venue => text === 'kalshi' || text === 'poly'
