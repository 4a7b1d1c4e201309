// Publishing in either dialect of Mercure: one form, one update.
import { TidingsError } from '../../errors.ts'
import type { Entry } from '../../log/log.ts'
import type { Update } from '../../update.ts'
import { decodeUtf8, mediaType, type Parameters, parseParameters, parseSwitch, readBody } from '../body.ts'
import { append } from '../publish.ts'
import type { RequestContext } from '../request-context.ts'
import { sendText } from '../response.ts'
import { dialects, securityHeaders } from './dialects.ts'

export async function publish(ctx: RequestContext): Promise<void> {
  const { access, request, response } = ctx
  const { grants, dialect } = await access.publisher(request, ctx.query())
  ctx.dialect = dialect
  await ctx.limits.publish(ctx.address, grants.subject)
  // Checked before the body is read, so that other clients cannot make the hub read bodies, or learn which fields it
  // accepts.
  if (!grants.isPublisher) throw new TidingsError('not_granted')
  const update = toUpdate(await readForm(ctx))
  if (!grants.mayPublish(update.topics)) throw new TidingsError('not_granted')
  dialects[dialect].checkUpdate(update, access.reserved)
  const [entry] = await append(ctx, grants, { isValidated: false, updates: [update] })
  sendText(response, (entry as Entry).id, securityHeaders)
}

async function readForm({ request, options }: RequestContext): Promise<Parameters> {
  const type = mediaType(request.headers['content-type'])
  if (type !== 'application/x-www-form-urlencoded') {
    throw new TidingsError('form_missing', 'send application/x-www-form-urlencoded')
  }
  return parseParameters(decodeUtf8(await readBody(request, options.maxBody)))
}

/** Unknown fields are ignored, since later versions may define them. If a field is repeated, the first value counts. */
function toUpdate(form: Parameters): Update {
  const topics = form.filter(([name]) => name === 'topic').map(([, value]) => value)
  if (topics.length === 0) throw new TidingsError('topic_missing')
  const id = first(form, 'id')
  const type = first(form, 'type')
  const retry = readRetry(first(form, 'retry') || '0')
  return {
    topics,
    data: first(form, 'data') ?? '',
    ...(id && { id }),
    ...(type && { type }),
    // The reference hub treats 0 as no value.
    ...(retry > 0 && { retry }),
    // The field makes an update private, with any value.
    ...(first(form, 'private') !== undefined && { private: true }),
    ...(isEnd(form) && { end: true })
  }
}

/** A field of this hub, not of Mercure: the last update of its topics. */
function isEnd(form: Parameters): boolean {
  const value = first(form, 'end')
  const end = value === undefined ? false : parseSwitch(value)
  if (end === undefined) throw new TidingsError('end_invalid', 'write end or end=true')
  return end
}

function readRetry(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new TidingsError('retry_invalid')
}

function first(form: Parameters, wanted: string): string | undefined {
  return form.find(([name]) => name === wanted)?.[1]
}
