/** Which ZeroMQ this is: for reports that are compared between machines. */

import { version } from 'zeromq'

/** Version of libzmq, `4.3.5`. */
export const libzmqVersion = (): string => version
