// Finds the browser that takes the pictures of the documents.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export function findChromium() {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  const found = names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
  if (!found) throw new Error(`there is none of ${names.join(', ')} on the PATH`)
  return found
}
