// Reads docs/openapi.yaml, and compares responses with it.
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'

interface Parameter {
  readonly name: string
  readonly in: 'query' | 'path' | 'header'
  readonly required?: boolean
  readonly example?: string | number
  readonly 'x-dialect'?: string
}

type Reference = { readonly $ref: string; readonly description?: string }
type Content = Readonly<Record<string, unknown>>
interface ResponseObject {
  readonly description: string
  readonly headers?: Record<string, { readonly required?: boolean; readonly schema?: unknown } | Reference>
  readonly content?: Content
}

interface OperationObject {
  readonly operationId: string
  readonly description?: string
  readonly parameters?: readonly (Parameter | Reference)[]
  readonly responses: Readonly<Record<string, ResponseObject | Reference>>
  readonly 'x-unknown-parameters'?: 'ignored'
}

interface Document {
  readonly paths: Readonly<Record<string, Record<string, unknown>>>
  readonly components: { readonly schemas: { readonly ErrorCode: { readonly enum: readonly string[] } } }
}

export const document = parse(readFileSync('docs/openapi.yaml', 'utf8'), { maxAliasCount: -1 }) as Document

const ajv = new Ajv2020({ strict: false, allErrors: true }).addSchema(document, 'openapi')
const fields = ['get', 'head', 'post', 'patch', 'delete', 'x-query']

/** One method of one path. */
export interface Operation {
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly isTolerant: boolean
  /** The description of each status, with its error codes. */
  readonly answers: readonly { readonly status: string; readonly description: string }[]
}

export const operations: readonly Operation[] = Object.entries(document.paths).flatMap(([path, item]) =>
  fields.filter((field) => field in item).map((field) => readOperation(path, item, field))
)

function readOperation(path: string, item: Record<string, unknown>, field: string): Operation {
  const operation = item[field] as OperationObject
  const shared = (item.parameters ?? []) as OperationObject['parameters']
  return {
    path,
    method: field.replace('x-', '').toUpperCase(),
    parameters: [...(shared ?? []), ...(operation.parameters ?? [])].map((one) => resolve<Parameter>(one).value),
    isTolerant: operation['x-unknown-parameters'] === 'ignored',
    answers: Object.entries(operation.responses).map(([status, response]) => {
      return { status, description: response.description ?? resolve<ResponseObject>(response).value.description }
    })
  }
}

/** What a reference names, and where it is. */
function resolve<Value>(value: Value | Reference, pointer = ''): { value: Value; pointer: string } {
  if (typeof value !== 'object' || value === null || !('$ref' in value)) return { value: value as Value, pointer }
  const path = value.$ref.replace(/^#\//, '')
  let found: unknown = document
  for (const part of path.split('/')) found = (found as Record<string, unknown>)[part]
  return { value: found as Value, pointer: `/${path}` }
}

/** What was received, with its body as text; undefined for a stream. */
export interface Received {
  readonly status: number
  readonly headers: Headers
  readonly body: string | undefined
}

/** What the file does not say about a response; empty if it fits. */
export function faultsOf({ method, path }: Operation, { status, headers, body }: Received): string[] {
  const field = method === 'QUERY' ? 'x-query' : method.toLowerCase()
  const base = `/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}/${field}/responses/${status}`
  const documented = (document.paths[path] as Record<string, OperationObject>)[field]?.responses[status]
  if (!documented) return [`the status ${status} is not documented`]
  const { value: response, pointer } = resolve<ResponseObject>(documented, base)
  return [
    ...faultsOfHeaders(response, headers),
    ...(method === 'HEAD' ? [] : faultsOfBody(response, pointer, headers, body))
  ]
}

function faultsOfHeaders(response: ResponseObject, headers: Headers): string[] {
  return Object.entries(response.headers ?? {})
    .filter(([name, header]) => resolve<{ required?: boolean }>(header).value.required && !headers.has(name))
    .map(([name]) => `the header ${name} is missing`)
}

function faultsOfBody(response: ResponseObject, pointer: string, headers: Headers, body: string | undefined): string[] {
  const type = headers.get('content-type')?.split(';')[0]
  if (!response.content) return body ? [`the body is not documented: ${body}`] : []
  if (type === undefined || !(type in response.content)) return [`the content type ${type} is not documented`]
  if (body === undefined) return []
  const validate = ajv.getSchema(`openapi#${pointer}/content/${type.replaceAll('/', '~1')}/schema`)
  if (!validate) return [`there is no schema of ${type}`]
  if (validate(type.endsWith('json') ? JSON.parse(body) : body)) return []
  return [`${ajv.errorsText(validate.errors)}, in ${body}`]
}
