// A form, whose server action publishes in process, and the list of messages.
import { hub } from '../hub'
import { Messages } from './messages'

async function send(form) {
  'use server'
  await hub.publish({ topics: ['messages'], data: JSON.stringify(form.get('text')) })
}

export default function Page() {
  return (
    <>
      <form action={send}>
        <label>
          Message <input name="text" required />
        </label>
        <button type="submit">Send</button>
      </form>
      <Messages />
    </>
  )
}
