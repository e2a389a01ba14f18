// What runs inside Redis stands in `.lua` files that say what it takes and returns, and names what it takes.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as fields from '../../../src/records/stored-fields.ts'

const files = ['src', 'workers', 'tools'].flatMap((top) =>
  readdirSync(top, { recursive: true, encoding: 'utf8' }).map((name) => join(top, name)),
)
const typescript = files
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(file, 'utf8') }))
const lua = files.filter((file) => file.endsWith('.lua')).map((file) => ({ file, text: readFileSync(file, 'utf8') }))
const commands = lua.filter(({ file }) => !file.includes('/includes/'))

const indices = (text: string, name: string) =>
  [...new Set([...text.matchAll(new RegExp(`\\b${name}\\[(\\d+)\\]`, 'g'))].map(([, index]) => Number(index)))].sort(
    (a, b) => a - b,
  )

it('there is no Lua code in TypeScript', () => {
  expect(typescript.length).toBeGreaterThan(300)
  expect(typescript.filter(({ text }) => /\bredis\.p?call\(\s*['"]/.test(text)).map(({ file }) => file)).toEqual([])
})

it('every command has a unique name with a hyphen, and is loaded by a module', () => {
  const names = commands.map(({ file }) => basename(file, '.lua'))
  expect(new Set(names).size).toBe(names.length)
  expect(names.filter((name) => !/^[a-z]+(-[a-z]+)+$/.test(name))).toEqual([])
  const loaded = (name: string) => typescript.some(({ text }) => text.includes(`'${name}'`))
  expect(names.filter((name) => !loaded(name))).toEqual([])
})

describe.each(commands)('$file', ({ text }) => {
  const [comment = '', code = ''] = text.split(']]\n', 2)

  it('has a comment on what it does, its keys, arguments and return value', () => {
    expect(comment).toMatch(/^--\[\[\n\S[\s\S]*\n\nKeys\n[\s\S]*\nArguments[\s\S]*\nReturns/)
  })

  it('assigns every described key and argument to a named local first', () => {
    const locals = code.split('\n').filter((line) => /^local [\w, ]+ = .*(KEYS|ARGV)\[/.test(line))
    const given = locals.join('\n')
    // Of those without end the last one that is described begins the row, which a loop goes through.
    for (const name of ['KEYS', 'ARGV']) {
      const described = indices(comment, name)
      const isEndless = new RegExp(`${name}\\[\\d+\\] …`).test(comment)
      expect(indices(given, name)).toEqual(isEndless ? described.slice(0, -1) : described)
    }
    const rest = locals.reduce((all, line) => all.replace(line, ''), code)
    expect(rest).not.toMatch(/\b(KEYS|ARGV)\[\d/)
  })
})

it('every field that Lua names is in the table of stored fields', () => {
  const tables = {
    session: fields.SESSION_FIELDS,
    cache: fields.CACHE_FIELDS,
    sequence: fields.SEQUENCE_FIELDS,
    stream: fields.STREAM_FIELDS,
  }
  const unknown = lua.flatMap(({ file, text }) =>
    [...text.matchAll(/\b(session|cache|sequence|stream)\.(\w+)/g)]
      .filter(([, table, field]) => !(String(field) in tables[table as keyof typeof tables]))
      .map(([found]) => `${file}: ${found}`),
  )
  expect(unknown).toEqual([])
})

/** Of a cluster's nodes each runs only commands whose keys it has: the client finds the node by the keys that it passes. */
it('every key that a command uses is one that it was passed', () => {
  const made = lua.flatMap(({ file, text }) => {
    const [, code = text] = text.split(']]\n', 2)
    const assigned = [...code.matchAll(/^local ([\w, ]+) = .*KEYS\[/gm)].flatMap(([, names = '']) => names.split(', '))
    const looped = [...code.matchAll(/for _, (\w+) in ipairs\(KEYS\)/g)].map(([, name]) => name)
    const parameters = [...code.matchAll(/local function \w+\(([\w, ]*)\)/g)].flatMap(([, names = '']) =>
      names.split(', '),
    )
    const passed = new Set([...assigned, ...looped, ...parameters, 'LIVE_CHANNEL'])
    return [...code.matchAll(/redis\.call\('(\w+)'(?:, (?:'CREATE', )?([^,)]+))?/g)]
      .filter(([, command, key]) => command !== 'TIME' && !passed.has(key ?? ''))
      .map(([call]) => `${file}: ${call}`)
  })
  expect(made).toEqual([])
})
