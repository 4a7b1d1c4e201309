#!/usr/bin/env node
// The command line: finds the command, and turns what goes wrong into one line and an exit code. It knows no hub.
import { Command } from 'commander'
import { serveCommand } from './serve.ts'
import { tokenCommand } from './token.ts'
import { version } from './version.ts'

const program = new Command('tidings')
  .description('A realtime server on Server-Sent Events.')
  .version(version)
  .showHelpAfterError('(tidings --help tells what there is)')
  .addCommand(serveCommand())
  .addCommand(tokenCommand())

await program.parseAsync()
