// The rows of the option table that say who may do what, and how Mercure is spoken.
import type { OptionTable } from './value.ts'

export const accessTable = {
  Authorization: {
    publisherKey: {
      kind: 'secret',
      default: '',
      reload: true,
      help: "verifies publishers' tokens: a secret, or a public key as PEM or JWK; prefer a variable over a flag"
    },
    subscriberKey: { kind: 'secret', default: '', reload: true, help: "verifies subscribers' tokens; as above" },
    publisherJwks: { kind: 'text', default: '', reload: true, help: "URL of a JWK Set for publishers' tokens" },
    subscriberJwks: { kind: 'text', default: '', reload: true, help: "URL of a JWK Set for subscribers' tokens" },
    publisherAlgorithms: {
      kind: 'list',
      default: [],
      reload: true,
      help: "accepted signature algorithms of publishers' tokens, such as HS256,RS256; default: those that fit the key"
    },
    subscriberAlgorithms: {
      kind: 'list',
      default: [],
      reload: true,
      help: "accepted signature algorithms of subscribers' tokens"
    },
    issuers: {
      kind: 'issuers',
      default: [],
      reload: true,
      help: 'accepted token issuers: names, or JSON that gives an issuer its own keys; default: any issuer'
    },
    audience: {
      kind: 'list',
      default: [],
      reload: true,
      help: "accepted `aud` values of Mercure 1.0 tokens; default: the hub's URL"
    },
    clockTolerance: {
      kind: 'duration',
      default: 0,
      reload: true,
      help: 'accepted clock difference between token issuers and this server, at most 5m'
    },
    anonymous: {
      kind: 'switch',
      default: false,
      reload: true,
      help: 'let clients without a token subscribe to public updates'
    },
    allowDelete: {
      kind: 'switch',
      default: false,
      reload: true,
      help: 'let publishers delete history with DELETE /updates, for the topics that their token may publish to'
    },
    authorize: {
      kind: 'text',
      default: '',
      reload: true,
      help: 'URL of an application that allows or denies each stream and each publish, after the token check'
    },
    authorizeHeaders: {
      kind: 'list',
      default: [],
      reload: true,
      help: 'client headers that are forwarded to that application, such as Cookie'
    },
    authorizeTimeout: {
      kind: 'duration',
      default: 2_000,
      reload: true,
      help: 'how long that application may take to answer, at most 1m; without an answer the request is denied'
    },
    corsOrigins: {
      kind: 'list',
      default: [],
      reload: true,
      help: 'origins whose pages may read streams: https://example.com, https://*.example.com, null or *'
    },
    publishOrigins: {
      kind: 'list',
      default: [],
      reload: true,
      help: 'origins whose pages may publish with a cookie'
    },
    publicUrls: {
      kind: 'list',
      default: [],
      reload: true,
      help: 'URLs that clients use, such as https://hub.example.com; requests for any other host are refused'
    },
    cookieName: {
      kind: 'text',
      default: '',
      reload: true,
      help: 'name of the cookie that holds the token; default: the name that each Mercure version defines'
    }
  },
  Mercure: {
    subscriptions: {
      kind: 'switch',
      default: false,
      reload: true,
      help: 'announce and list active subscriptions, for clients whose token allows it'
    },
    dialects: {
      kind: 'list of 1.0|0.x',
      default: ['1.0', '0.x'],
      reload: true,
      help: 'supported versions of the Mercure protocol: 1.0, 0.x'
    }
  }
} as const satisfies OptionTable
