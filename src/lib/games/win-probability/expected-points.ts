/**
 * What having the ball is worth in football, points: the average of the next score by down, distance and field.
 *
 * nflfastR 2.1.0, as tabled in michael-morris.us/2020/08/expect-points-added-cheatsheet, distances of 10. Fourth down
 * is in no table that we know: third down and long, less a point, which is about what a punt or a kick leaves of it.
 */

/** By yards to the end zone: first, second and third down and 10. */
const AT_10: readonly (readonly [yards: number, first: number, second: number, third: number])[] = [
  // Not of that table: first and goal at the 1 is worth 6 (advancedfootballanalytics.com, "Expected Point Values").
  [1, 6.0, 5.5, 4.8],
  [10, 5.0, 4.5, 3.8],
  [15, 4.8, 4.4, 3.7],
  [20, 4.4, 4.0, 3.4],
  [25, 4.1, 3.7, 3.1],
  [30, 3.8, 3.4, 2.7],
  [35, 3.5, 3.0, 2.3],
  [40, 3.2, 2.6, 1.9],
  [45, 2.8, 2.4, 1.6],
  [50, 2.5, 2.1, 1.3],
  [55, 2.2, 1.7, 0.9],
  [60, 1.8, 1.3, 0.6],
  [65, 1.5, 0.9, 0.3],
  [70, 1.2, 0.7, 0.1],
  [75, 1.1, 0.5, -0.2],
  [80, 0.6, 0.1, -0.6],
  [85, 0.2, -0.3, -0.9],
  [90, -0.1, -0.6, -1.3],
  [95, -0.4, -0.9, -1.6],
]
/** A yard less to go than 10 is worth so much on second and third down: (3rd and 3) - (3rd and 10) is 0.5 in the table. */
const PER_YARD = 0.07

/** @param yardsToGoal from the line of scrimmage to the end zone that the team with the ball attacks. */
export function expectedPoints(yardsToGoal: number, down = 1, distance = 10): number {
  const column = Math.min(3, Math.max(1, down)) as 1 | 2 | 3
  const value = between(Math.min(95, Math.max(1, yardsToGoal)), column)
  const shorter = down === 1 ? 0 : PER_YARD * (10 - Math.min(20, Math.max(0, distance)))
  return value + shorter - (down >= 4 ? 1 : 0)
}

function between(yards: number, column: 1 | 2 | 3): number {
  const index = AT_10.findIndex(([at]) => at >= yards)
  const upper = AT_10[index] ?? AT_10[0]
  const lower = AT_10[Math.max(0, index - 1)] ?? upper
  if (upper === undefined || lower === undefined) return 0
  if (upper[0] === lower[0]) return upper[column]
  const share = (yards - lower[0]) / (upper[0] - lower[0])
  return lower[column] + share * (upper[column] - lower[column])
}
