// Builds an earlier commit of this repository, so that one run compares before and after.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The server program of a commit, a folder with a built copy, or undefined for this build. */
export function programOf(before: string | undefined): string {
  if (before === undefined) return join(root, 'dist/cli/main.js')
  return join(existsSync(join(before, 'dist')) ? before : built(before), 'dist/cli/main.js')
}

function built(commit: string): string {
  const id = execFileSync('git', ['rev-parse', '--short', `${commit}^{commit}`], { cwd: root, encoding: 'utf8' }).trim()
  const folder = join(root, 'build/before', id)
  if (existsSync(join(folder, 'dist/.stamp'))) return folder
  console.error(`building ${id} …`)
  mkdirSync(folder, { recursive: true })
  const archive = execFileSync('git', ['archive', id], { cwd: root, maxBuffer: 2 ** 30 })
  execFileSync('tar', ['-x', '-C', folder], { input: archive })
  execFileSync('npm', ['run', 'build'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  return folder
}
