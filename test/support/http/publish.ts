// Publishes with one HTTP request, as curl does, and expects a success status.
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import { post } from './http.ts'

export async function publish(url: string, data: string, fields: Record<string, string> = {}): Promise<void> {
  const answer = await post(`${url}/publish?${new URLSearchParams(fields)}`, data)
  if (answer.status !== 200) throw new Error(`publishing "${data}" was answered with ${answer.status}: ${answer.text}`)
}

/** Publishes again and again until the test ends, and then waits for the last response: the server may stop after it. */
export function keepPublishing(url: string, data: string, fields: Record<string, string>, pauseMs: number): void {
  let isOver = false
  const published = (async () => {
    for (; !isOver; await sleep(pauseMs)) await publish(url, data, fields)
  })()
  onTestFinished(() => {
    isOver = true
    return published
  })
}
