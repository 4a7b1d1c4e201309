// The live page in the browser.
const events = document.querySelector('#events') as HTMLElement
new EventSource('/subscribe').onmessage = ({ data }) => events.append(`${data}\n`)
