// Subscribes and publishes with the client, in whatever runtime runs it, and prints what happens. It ends after the data `last`.
// Arguments: the client as a URL, the hub for subscribing, the hub for publishing.
import process from 'node:process'

const [client = '', subscribeUrl = '', publishUrl = ''] = process.argv.slice(2)
/** @type {typeof import('../../../dist/client/index.js')} */
const { publish, RefusedError, subscribe } = await import(client)

let isPublished = false
async function publishAll() {
  isPublished = true
  const [id] = await publish(`${publishUrl}/publish`, { topics: 'a', data: 'one' })
  const ids = await publish(`${publishUrl}/publish`, [
    { topics: 'a', data: { two: 2 } },
    { topics: 'a', data: 'drei – ☃' }
  ])
  console.log('published', typeof id, ids.length)
  await publish(`${publishUrl}/publish`, { topics: '*', data: '' }).catch((error) => {
    console.log('refused', error instanceof RefusedError, error.status, error.code)
  })
}

const subscription = subscribe(`${subscribeUrl}/subscribe`, { topics: 'a' })
subscription.on('state', ({ status }) => {
  console.log(status)
  if (status === 'live' && !isPublished) void publishAll()
})
for await (const { data } of subscription) {
  console.log('got', JSON.stringify(data))
  if (data === 'last') break
}
console.log('over', subscription.lastEventId !== '')
