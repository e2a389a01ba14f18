// Active content of a PDF: everything that a viewer reaches from the catalog, the pages, their annotations, the name
// trees, the form and the outline. Objects without a reference have no effect.

import type { ActiveContent } from '../../src/submissions/profiles/schema.ts'
import { isFieldScript } from './pdf-field-scripts.ts'
import { isDict, type PdfDict, type PdfObjects, type PdfValue } from './pdf-json.ts'
import type { PageTree } from './pdf-tree.ts'
import { turns } from './pdf-turns.ts'

const BY_ACTION: Record<string, ActiveContent> = {
  '/Launch': 'LAUNCH',
  '/SubmitForm': 'SUBMIT_FORM',
  '/ImportData': 'IMPORT_DATA',
  '/GoToR': 'REMOTE_GOTO',
  '/GoToE': 'REMOTE_GOTO',
  '/Rendition': 'RICH_MEDIA',
  '/Movie': 'RICH_MEDIA',
  '/RichMediaExecute': 'RICH_MEDIA',
}

const BY_ANNOTATION: Record<string, ActiveContent> = {
  '/RichMedia': 'RICH_MEDIA',
  '/3D': 'RICH_MEDIA',
  '/Movie': 'RICH_MEDIA',
}

type Step = { role: Role; value: PdfValue | undefined }
type Role = 'action' | 'events' | 'fieldEvents' | 'file' | 'annotation' | 'field' | 'outline' | 'scripts' | 'files'

export async function readActive(objects: PdfObjects, tree: PageTree): Promise<ActiveContent[]> {
  const found = new Set<ActiveContent>()
  const seen = new Set<string>()
  const steps: Step[] = []
  const push = (role: Role, values: readonly (PdfValue | undefined)[]): void => {
    for (const value of values) if (value !== undefined && value !== null) steps.push({ role, value })
  }
  const list = (value: PdfValue | undefined): PdfValue[] => {
    const { value: found } = objects.resolve(value)
    return Array.isArray(found) ? found : []
  }
  const walk = walks({ objects, found, push, list })
  const turn = turns()

  const exhaust = async (): Promise<void> => {
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      await turn()
      const { value, id, isStream } = objects.resolve(step.value)
      const key = `${step.role} ${id}`
      if (id !== null && seen.has(key)) continue
      if (id !== null) seen.add(key)
      if (Array.isArray(value) && step.role === 'action') push('action', value)
      if (isDict(value)) walk[step.role](value, isStream)
    }
  }
  startAtCatalog({ objects, found, push, list })
  await exhaust()
  for (const { value } of tree.pages) {
    const page = objects.dict(value) ?? {}
    if (hasEntries(objects, page['/AA'])) found.add('PAGE_ACTION')
    push('events', [page['/AA']])
    push('annotation', list(page['/Annots']))
    push('file', list(page['/AF']))
    await turn()
    if (steps.length > 0) await exhaust()
  }
  return [...found].sort()
}

type Walk = {
  objects: PdfObjects
  found: Set<ActiveContent>
  push: (role: Role, values: readonly (PdfValue | undefined)[]) => void
  list: (value: PdfValue | undefined) => PdfValue[]
}

function startAtCatalog({ objects, found, push, list }: Walk): void {
  const catalog = objects.dict(objects.trailer['/Root']) ?? {}
  const opening = objects.resolve(catalog['/OpenAction']).value
  if (opening !== null) found.add('OPEN_ACTION')
  // An array is a destination in the document, not an action.
  if (isDict(opening)) push('action', [catalog['/OpenAction']])
  push('events', [catalog['/AA']])
  const names = objects.dict(catalog['/Names']) ?? {}
  push('scripts', [names['/JavaScript']])
  push('files', [names['/EmbeddedFiles']])
  push('file', list(catalog['/AF']))
  const form = objects.dict(catalog['/AcroForm']) ?? {}
  if (hasContent(objects, form['/XFA'])) found.add('XFA')
  // The order of calculation may name fields that are in no list.
  push('field', [...list(form['/Fields']), ...list(form['/CO'])])
  push('outline', [objects.dict(catalog['/Outlines'])?.['/First']])
}

/** What to check in a dictionary, by how it was reached. */
function walks({ objects, found, push, list }: Walk): Record<Role, (dict: PdfDict, isStream: boolean) => void> {
  const script = (value: PdfValue | undefined, inField: boolean): void => {
    const { value: text, isStream } = objects.resolve(value)
    if (isStream) found.add('JAVASCRIPT')
    if (typeof text !== 'string' || textOf(text).trim() === '') return
    found.add(inField && isFieldScript(textOf(text)) ? 'FIELD_SCRIPT' : 'JAVASCRIPT')
  }
  const action = (dict: PdfDict, inField: boolean): void => {
    const type = objects.resolve(dict['/S']).value
    const kind = typeof type === 'string' ? BY_ACTION[type] : undefined
    if (kind !== undefined) found.add(kind)
    // A rendition action may contain a script.
    if (type === '/JavaScript' || type === '/Rendition') script(dict['/JS'], inField)
    const uri = objects.resolve(dict['/URI']).value
    if (type === '/URI' && typeof uri === 'string' && /^\s*javascript:/i.test(textOf(uri))) found.add('JAVASCRIPT')
    if (type === '/Launch' || type === '/GoToE') push('file', [dict['/F']])
    push('action', [dict['/Next']])
  }
  const nameTree =
    (role: Role, leaf: Role) =>
    (dict: PdfDict): void => {
      push(role, list(dict['/Kids']))
      push(
        leaf,
        list(dict['/Names']).filter((_, i) => i % 2 === 1),
      )
    }
  return {
    action: (dict) => action(dict, false),
    events: (dict) => push('action', Object.values(dict)),
    fieldEvents(dict) {
      for (const value of Object.values(dict)) {
        const event = objects.dict(value)
        if (event !== null) action(event, true)
      }
    },
    file(dict, isStream) {
      const embedded = objects.dict(dict['/EF']) ?? {}
      if (isStream || Object.values(embedded).some((value) => objects.resolve(value).isStream))
        found.add('EMBEDDED_FILE')
    },
    annotation(dict) {
      const type = objects.resolve(dict['/Subtype']).value
      const kind = typeof type === 'string' ? BY_ANNOTATION[type] : undefined
      if (kind !== undefined) found.add(kind)
      push('action', [dict['/A'], dict['/PA']])
      push(type === '/Widget' ? 'fieldEvents' : 'events', [dict['/AA']])
      push('file', [dict['/FS'], ...list(dict['/AF'])])
      // Fields above a widget may not be in the form's list.
      if (type === '/Widget') push('field', [dict['/Parent']])
    },
    field(dict) {
      push('action', [dict['/A']])
      push('fieldEvents', [dict['/AA']])
      push('field', list(dict['/Kids']))
    },
    outline(dict) {
      push('action', [dict['/A']])
      push('outline', [dict['/First'], dict['/Next']])
    },
    scripts: nameTree('scripts', 'action'),
    files: nameTree('files', 'file'),
  }
}

function hasEntries(objects: PdfObjects, value: PdfValue | undefined): boolean {
  return Object.keys(objects.dict(value) ?? {}).length > 0
}

/** Anything but null and an empty list. */
function hasContent(objects: PdfObjects, value: PdfValue | undefined): boolean {
  const { value: found } = objects.resolve(value)
  return Array.isArray(found) ? found.some((one) => objects.resolve(one).value !== null) : found !== null
}

/** qpdf writes text as `u:…` and other bytes as `b:` and hexadecimal digits. */
function textOf(value: string): string {
  if (value.startsWith('b:')) return Buffer.from(value.slice(2), 'hex').toString('latin1')
  return value.startsWith('u:') ? value.slice(2) : value
}
