// Starts the files that take longest first, so that no worker is left alone with one of them at the end. Vitest knows how
// long a file takes only where it has run before, which is never so on a CI server.
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files of more than about twenty seconds, longest first. The order of all others is that of Vitest. */
const longest = [
  'integrations/nextjs',
  'browser/dashboard',
  'browser/dashboard',
  'browser/react',
  'browser/live-page',
  'browser/shared',
  'log/redis-cluster',
  'examples/servers',
  'log/model',
  'server/fleet-presence',
  'client/cut',
  'server/serve',
  'cli/publish',
  'server/webhooks',
  'client/hub',
  'server/revocation',
  'log/lmdb-retention',
  'log/lmdb-full-disk',
  'cli/doctor',
  'server/authorize'
]

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
      return at < 0 ? longest.length : at
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}
