// Publishes as curl would: one HTTP request, and its status has to say that it was accepted.
export async function publish(url: string, data: string, fields: Record<string, string> = {}): Promise<void> {
  const answer = await fetch(`${url}/publish?${new URLSearchParams(fields)}`, {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain' },
    body: data
  })
  if (!answer.ok) throw new Error(`publishing "${data}" was answered with ${answer.status}: ${await answer.text()}`)
}
