// Colour for people at a terminal, and never where NO_COLOR says not to. It knows no sentence.

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const

export type Paint = (text: string, ...colours: readonly (keyof typeof codes)[]) => string

/** What paints on a stream, if that is a terminal that shows colour. */
export function painter(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  if (!stream.isTTY || env.NO_COLOR || env.TERM === 'dumb') return (text) => text
  return (text, ...colours) =>
    colours.reduce((painted, colour) => `\x1b[${codes[colour][0]}m${painted}\x1b[${codes[colour][1]}m`, text)
}

/** A text from elsewhere that cannot move the cursor or rename the window; line ends and tabs stay. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it exists to find
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '\ufffd')
}
