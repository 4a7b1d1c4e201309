// Follows topics: chooses them, shows what their stream delivers, and shows its state.
import { showCount } from './count.ts'
import { find, topicBox, topicsBox } from './elements.ts'
import { say, sayFailure } from './say.ts'
import { clear, resume, showDeletion, showEvent, showGap } from './show.ts'
import { Stream, type StreamState } from './stream.ts'
import { showCommands } from './terminal.ts'
import { chooseTopics, followedTopics } from './topics.ts'

/** A page that was hidden for longer reconnects, since its connection may be broken without notice. */
const maxHiddenMs = 30_000
const stateBox = find('#state')
let hiddenSince = 0

export const stream = new Stream({
  changed: showState,
  updated: showEvent,
  skipped: showGap,
  deleted: showDeletion,
  refused: ({ status, message }) => sayFailure('#follow-said', status, message)
})

/** Follows the topics in the address of the page. */
export function followAddress(): void {
  showTopics()
  stream.follow(followedTopics())
}

export function follow(topics: readonly string[]): void {
  chooseTopics(topics)
  resume()
  clear()
  say('#follow-said', '')
  followAddress()
}

function showTopics(): void {
  const topics = followedTopics()
  const names = topics.join(', ')
  topicsBox.value = topics.join('\n')
  topicBox.placeholder = topics.find((topic) => topic !== '*' && !topic.includes('{')) ?? 'default'
  find('#following').textContent = names ? `on ${names}` : 'on every topic'
  document.title = names ? `${names} · tidings` : 'tidings'
  showCommands()
}

function showState(state: StreamState): void {
  if (state === 'live') {
    say('#follow-said', '')
    void showCount()
  }
  if (state === 'ended') say('#follow-said', 'All topics have ended. Publishing to one of them reopens it.')
  if (stateBox.dataset.state === state) return
  stateBox.dataset.state = state
  const texts = { connecting: 'Connecting…', live: 'Live', reconnecting: 'Reconnecting…', ended: 'Ended' }
  stateBox.textContent = texts[state]
}

export function visibilityChanged(): void {
  if (document.hidden) {
    hiddenSince = Date.now()
    return
  }
  void showCount()
  if (stream.hasEnded) return
  if (!stream.isOpen || Date.now() - hiddenSince > maxHiddenMs) stream.connect()
}
