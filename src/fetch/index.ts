// The hub for applications whose servers speak fetch: a function from a Request to a Response.
export { createFetchHandler, type FetchHandler, type FetchHandlerOptions } from './handler.ts'
