// The entry point `tidings/sse`: the wire format, for applications that write single events to a response of their own.
export { encode as encodeEvent, heartbeat, type SseEvent } from './encode.ts'
