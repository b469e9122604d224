/** What this process has used. */

/** The sum of user and system time, us. */
export const cpuUs = (): number => {
  const { user, system } = process.cpuUsage()
  return user + system
}

export const rssMib = (): number => Math.round(process.memoryUsage.rss() / 2 ** 20)
