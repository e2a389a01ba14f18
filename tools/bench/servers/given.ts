// Any other tus server, by its command line: `--server 'NAME=PROGRAM ARGUMENTS…'` with {port} {dir} {bucket} {endpoint}.

import type { Contender, Place } from '../model.ts'

/** An invalid server command; the message says why. */
export class BadCommand extends Error {}

/** Splits like a shell, with ' and " but without variables; one pair of braces around the complete text is removed. */
export function splitCommand(text: string): string[] {
  const bare = /^\{([^{}\s]+\s.*)\}$/s.exec(text.trim())?.[1] ?? text
  const words: string[] = []
  let word: string | undefined
  let quote: string | undefined
  for (const char of bare) {
    if (quote !== undefined) {
      if (char === quote) quote = undefined
      else word += char
    } else if (char === "'" || char === '"') {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  if (quote !== undefined) throw new BadCommand(`a quote is not closed: ${text}`)
  if (word !== undefined) words.push(word)
  return words
}

function fill(word: string, { port, dir, s3 }: Place): string {
  const values: Record<string, string | undefined> = {
    port: String(port),
    dir,
    bucket: s3?.bucket,
    endpoint: s3?.endpoint,
  }
  return word.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)
}

/** A command with {bucket} or {endpoint} is for S3. @param text `NAME=COMMAND` */
export function given(text: string): Contender {
  const equals = text.indexOf('=')
  const name = text.slice(0, equals)
  if (equals < 1 || !/^[\w .:@+-]{1,40}$/.test(name))
    throw new BadCommand(`--server must be NAME=COMMAND, not: ${text}`)
  const [program, ...args] = splitCommand(text.slice(equals + 1))
  if (program === undefined) throw new BadCommand(`--server has no command: ${text}`)
  if (!text.includes('{port}')) throw new BadCommand(`--server must use {port}: ${text}`)
  return {
    name,
    kind: 'given',
    store: /\{(bucket|endpoint)\}/.test(text) ? 's3' : 'local',
    tickets: false,
    durable: 'not known',
    command: (place) => ({
      program,
      args: args.map((word) => fill(word, place)),
      env: { ...place.s3?.env },
    }),
  }
}
