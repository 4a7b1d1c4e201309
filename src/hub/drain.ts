// Ends streams over a period of time, so that their clients do not all reconnect at once.

/** Time between two steps, in milliseconds. */
const stepMs = 20

/** Calls `end` for each member, in random order, spread evenly over so many milliseconds. Resolves when all have ended. */
export async function drain<Member>(
  members: Iterable<Member>,
  duration: number,
  end: (member: Member) => void
): Promise<void> {
  const waiting = shuffled([...members])
  const count = waiting.length
  const startedAt = performance.now()
  while (waiting.length > 0) {
    const passed = duration <= 0 ? 1 : Math.min(1, (performance.now() - startedAt) / duration)
    while (waiting.length > count * (1 - passed)) end(waiting.pop() as Member)
    if (waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, stepMs))
  }
}

/** [Fisher and Yates] */
function shuffled<Member>(members: Member[]): Member[] {
  for (let last = members.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    ;[members[last], members[other]] = [members[other] as Member, members[last] as Member]
  }
  return members
}
