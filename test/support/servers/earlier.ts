// The command line of the commit before this one, which is built once.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

export interface Build {
  /** For the title of a test. */
  readonly name: string
  /** The file that Node runs. */
  readonly program: string
}

/** A copy without history, as of `git clone --depth 1`, has no earlier commit; then it is this build. */
export function earlierBuild(): Build {
  const id = commitBefore()
  if (id === undefined)
    return { name: 'this build, since there is no earlier commit', program: join(root, 'dist/cli/main.js') }
  const folder = join(root, 'build/earlier', id)
  const program = join(folder, 'dist/cli/main.js')
  if (!existsSync(join(folder, 'dist/.stamp'))) build(id, folder)
  return { name: `commit ${id}`, program }
}

function commitBefore(): string | undefined {
  try {
    const args = ['rev-parse', '--short', 'HEAD~1']
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}

function build(id: string, folder: string): void {
  mkdirSync(folder, { recursive: true })
  const archive = execFileSync('git', ['archive', id], { cwd: root, maxBuffer: 2 ** 30 })
  execFileSync('tar', ['-x', '-C', folder], { input: archive })
  const lock = (at: string) => readFileSync(join(at, 'package-lock.json'), 'utf8')
  // With other dependencies, its own script installs them.
  if (lock(folder) === lock(root) && !existsSync(join(folder, 'node_modules')))
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  execFileSync('npm', ['run', 'build'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
}
