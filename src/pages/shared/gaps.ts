// What each reason of a gap means, for people.
import type { Gap } from '../../client/index.ts'

export const gapTexts: Record<Gap['reason'], string> = {
  unknown:
    'A gap: the server does not know the last event of this page, so events may be missing here. New events follow.',
  epoch: 'A gap: the log has started over, so events may be missing here. The events of the new log follow.',
  trimmed: 'A gap: events are missing here, because the server no longer keeps them. The oldest kept events follow.'
}
