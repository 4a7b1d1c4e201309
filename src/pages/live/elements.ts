// The elements that several modules of the live page use, and how to find others.

export const list = find('#events')
export const topicsBox = find<HTMLTextAreaElement>('#topics')
export const topicBox = find<HTMLInputElement>('#topic')
export const typeBox = find<HTMLInputElement>('#type')
export const dataBox = find<HTMLTextAreaElement>('#data')
export const readToken = find<HTMLInputElement>('#token-read')
export const publishToken = find<HTMLInputElement>('#token-publish')

export function find<Kind extends HTMLElement>(selector: string): Kind {
  return document.querySelector(selector) as Kind
}
