/**
 * For the end of a receive loop: zeromq.js 6.8 may reject the receive that waits while its socket is closed (`ENOTSOCK`),
 * and that is no error of anybody's.
 */
export const unlessClosed =
  (socket: { readonly closed: boolean }) =>
  (error: unknown): void => {
    if (!socket.closed) throw error
  }
