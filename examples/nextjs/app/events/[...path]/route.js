// The endpoints of the hub below /events. Clients may subscribe; the app publishes.
import { createFetchHandler } from 'tidings/fetch'
import { hub } from '../../../hub'

const handler = createFetchHandler(hub, { basePath: '/events', authorize: ({ action }) => action === 'subscribe' })

export { handler as DELETE, handler as GET, handler as HEAD, handler as OPTIONS, handler as PATCH, handler as POST }
