// Colours for a terminal, unless NO_COLOR is set, and text from servers made safe to print.

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const

export type Paint = (text: string, ...colours: readonly (keyof typeof codes)[]) => string

/** A function that colours text, or returns it unchanged if the stream is no terminal with colours. */
export function painter(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint {
  if (!stream.isTTY || env.NO_COLOR || env.TERM === 'dumb') return (text) => text
  return (text, ...colours) =>
    colours.reduce((painted, colour) => `\x1b[${codes[colour][0]}m${painted}\x1b[${codes[colour][1]}m`, text)
}

/** Replaces control characters, which could control the terminal. Line breaks and tabs stay. */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters it exists to find
  return text.replace(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, '\ufffd')
}
