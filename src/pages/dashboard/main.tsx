// The script of the dashboard: connects to the server and shows the page. The build bundles it and what it imports into one script.
import { render } from 'preact'
import { App } from './app.tsx'
import { connect } from './data/feed.ts'
import { focusFilter } from './ui/filter.tsx'

addEventListener('keydown', focusFilter)
connect()
render(<App />, document.querySelector('#app') as HTMLElement)
