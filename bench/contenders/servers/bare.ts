// The least that a publish over HTTP can cost in Node: it reads the body and answers.
import { listen, takePublish } from './listen.ts'

listen((request, response) => takePublish(request, response, () => {}))
