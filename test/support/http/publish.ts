// Publishes with one HTTP request, as curl does, and expects a success status.
import { post } from './http.ts'

export async function publish(url: string, data: string, fields: Record<string, string> = {}): Promise<void> {
  const answer = await post(`${url}/publish?${new URLSearchParams(fields)}`, data)
  if (answer.status !== 200) throw new Error(`publishing "${data}" was answered with ${answer.status}: ${answer.text}`)
}
