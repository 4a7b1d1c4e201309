// Runs the contenders in turn, round after round.

/** Each round begins with another contender, so that the position in a round favors none. */
export async function inTurns<Contender extends { name: string }, Outcome>(
  title: string,
  rounds: number,
  contenders: readonly Contender[],
  trial: (contender: Contender) => Promise<Outcome>
): Promise<{ contender: string; outcomes: Outcome[] }[]> {
  const series = contenders.map(({ name }) => ({ contender: name, outcomes: [] as Outcome[] }))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const at = (round + turn) % contenders.length
      const contender = contenders[at]
      if (!contender) continue
      console.error(`${title}, round ${round + 1} of ${rounds}: ${contender.name}`)
      series[at]?.outcomes.push(await trial(contender))
    }
  }
  return series
}
