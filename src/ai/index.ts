// The entry point `tidings/ai`: streams of language models that survive reloads, crashes and a change of the device.
export {
  createResumableStreamContext,
  type ResumableStreamContext,
  type ResumableStreamContextOptions
} from './adapters/resumable-stream.ts'
export {
  createStreamDurability,
  type DurabilitySource,
  type DurableChunk,
  type RunDurability,
  type StreamDurabilityOptions
} from './adapters/stream-durability.ts'
export {
  createResumableStreamStore,
  type StreamStore,
  type StreamStoreAcquireOptions,
  type StreamStoreAcquisition,
  type StreamStoreEntry,
  type StreamStoreLease
} from './adapters/stream-store.ts'
export type { Source, SourceFormat, StreamLike } from './chunks.ts'
export { RunError, type RunErrorCode } from './errors.ts'
export type { EndStatus } from './names.ts'
export type { ReadOptions, RunChunk } from './reading.ts'
export { createRuns, type RunStatus, type Runs, type RunsOptions, runRetention, type WriteOptions } from './runs.ts'
export type { RunsHub } from './stores/hub-store.ts'
export type { RunOutcome } from './writing/writer.ts'
