// The answers of the inspector: receivers, retention and resuming.
import type { Inspection, Resume } from '../../../dashboard-api/streams.ts'
import { linkTo } from '../data/route.ts'
import { duration, plural } from '../ui/format.ts'
import { CheckIcon, GapIcon } from '../ui/icons.tsx'
import { Fact, StateLabel } from '../ui/parts.tsx'

const gapCauses: Record<NonNullable<Resume['gap']>['reason'], string> = {
  unknown: 'The log has no update with this id, so updates may be missing, and the client gets new ones only.',
  epoch: 'The log has started over since this id was made. The client gets the updates of the new log.',
  trimmed: 'Retention removed updates after this id. The client gets the oldest that are kept.'
}

export function Receivers({ inspection }: { readonly inspection: Inspection }) {
  const { receivers, topic, private: isPrivate } = inspection
  const { streams, audiences, sample } = receivers
  return (
    <section aria-labelledby="receivers-title">
      <h3 id="receivers-title" class="title">
        Who would receive {isPrivate ? 'a private' : 'an'} update of <span class="mono wrap">{topic}</span>
      </h3>
      <p>
        <b class="large">{streams.toLocaleString('en')}</b> {streams === 1 ? 'stream' : 'streams'} in{' '}
        {plural(audiences, 'audience')}
      </p>
      {sample.length > 0 && (
        <details>
          <summary>{sample.length < streams ? `Show ${sample.length} of them` : 'Show the streams'}</summary>
          <ul class="receivers">
            {sample.map(({ id, address, subject, state, age }) => (
              <li key={id}>
                <StateLabel state={state} />
                <a class="mono" href={linkTo('streams', id)}>
                  {address}
                </a>
                <span>{subject ?? ''}</span>
                <span class="soft">{duration(age)}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  )
}

export function Retention({ retention }: { readonly retention: Inspection['retention'] }) {
  return (
    <section aria-labelledby="retention-title">
      <h3 id="retention-title" class="title">
        Retention
      </h3>
      <dl class="pairs">
        <Fact name="Rule">{retention.rule === null ? 'no rule applies' : <code>{retention.rule}</code>}</Fact>
        <Fact name="Keeps">{retention.keeps}</Fact>
      </dl>
    </section>
  )
}

export function Resuming({ resume }: { readonly resume: Resume | null }) {
  return (
    <section aria-labelledby="resume-title">
      <h3 id="resume-title" class="title">
        Resuming
      </h3>
      {resume ? (
        <Answer resume={resume} />
      ) : (
        <p class="soft">Enter an id to see what a client gets that resumes there.</p>
      )}
    </section>
  )
}

function Answer({ resume }: { readonly resume: Resume }) {
  const { id, from, head, wouldReceive, isComplete, first, gap, isOver } = resume
  return (
    <>
      {gap ? (
        <p class="verdict" data-state="failing">
          <GapIcon />
          <span>
            The client sees a gap, reason <b>{gap.reason}</b>. {gapCauses[gap.reason]} It resumes after{' '}
            <code>{gap.resumedAfter}</code> instead of <code>{gap.requested}</code>.
          </span>
        </p>
      ) : (
        <p class="verdict" data-state="ok">
          <CheckIcon />
          <span>No gap: the client misses nothing.</span>
        </p>
      )}
      {isOver && <p>All of it has ended. The client gets 204 and stops.</p>}
      <dl class="pairs">
        <Fact name="Asked for">
          <code>{id}</code>
        </Fact>
        <Fact name="Begins after">offset {from.toLocaleString('en')}</Fact>
        <Fact name="Head">offset {head.toLocaleString('en')}</Fact>
        <Fact name="Receives">
          {isComplete ? '' : 'at least '}
          {plural(wouldReceive, 'entry', 'entries')} of the history
        </Fact>
      </dl>
      {first.length > 0 && (
        <details>
          <summary>The first {plural(first.length, 'id')}</summary>
          <p class="mono wrap">{first.join('  ')}</p>
        </details>
      )}
    </>
  )
}
