import { describe, expect, it } from 'vitest'
import { readActive } from '../../../../workers/media/pdf-actions.ts'
import { isFieldScript } from '../../../../workers/media/pdf-field-scripts.ts'
import { type PdfValue, readObjects } from '../../../../workers/media/pdf-json.ts'
import { readTree } from '../../../../workers/media/pdf-tree.ts'

type Objects = Record<number, PdfValue | { stream: PdfValue }>

/** As qpdf prints it. */
function listing(objects: Objects): Buffer {
  const all = Object.entries(objects).map(([id, value]) => [
    `obj:${id} 0 R`,
    typeof value === 'object' && value !== null && 'stream' in value ? { stream: { dict: value.stream } } : { value },
  ])
  const body = Object.fromEntries([...all, ['trailer', { value: { '/Root': '1 0 R' } }]])
  const qpdf = [{ jsonversion: 2 }, body]
  return Buffer.from(JSON.stringify({ version: 2, encrypt: { encrypted: false }, qpdf }, null, 2))
}

const PAGES: Objects = {
  2: { '/Type': '/Pages', '/Kids': ['3 0 R'], '/Count': 1 },
  3: { '/Type': '/Page' },
}
const catalog = (entries: Record<string, PdfValue>) => ({
  '/Type': '/Catalog',
  '/Pages': '2 0 R',
  ...entries,
})
const SCRIPT = { '/S': '/JavaScript', '/JS': 'u:app.alert(1)' }
const FORMAT = { '/S': '/JavaScript', '/JS': 'u:AFNumber_Format(2, 0, 0, 0, "", true);' }
const FILE = { '/Type': '/Filespec', '/EF': { '/F': '9 0 R' } }
const STREAM = { stream: { '/Type': '/EmbeddedFile' } }

async function active(entries: Record<string, PdfValue>, more: Objects = {}): Promise<string[]> {
  const objects = readObjects(listing({ ...PAGES, 1: catalog(entries), ...more }))
  const tree = await readTree(objects)
  if (tree === null) throw new Error('no tree')
  return await readActive(objects, tree)
}
const onPage = (entries: Record<string, PdfValue>, more: Objects = {}) =>
  active({}, { ...more, 3: { '/Type': '/Page', ...entries } })

describe('active content is found where a viewer reaches it', () => {
  it.each<[string, Promise<string[]>, string[]]>([
    ['when the file opens', active({ '/OpenAction': SCRIPT }), ['JAVASCRIPT', 'OPEN_ACTION']],
    ['a place to open at', active({ '/OpenAction': ['3 0 R', '/Fit'] }), ['OPEN_ACTION']],
    ['when it is printed', active({ '/AA': { '/WP': '9 0 R' } }, { 9: SCRIPT }), ['JAVASCRIPT']],
    [
      'one after the other',
      active({ '/AA': { '/WP': { '/S': '/URI', '/Next': ['9 0 R'] } } }, { 9: SCRIPT }),
      ['JAVASCRIPT'],
    ],
    [
      'actions that follow themselves',
      active({ '/AA': { '/WP': '9 0 R' } }, { 9: { '/S': '/Named', '/Next': '9 0 R' } }),
      [],
    ],
    [
      'in a script that is a stream',
      active({ '/AA': { '/WP': { '/S': '/JavaScript', '/JS': '9 0 R' } } }, { 9: STREAM }),
      ['JAVASCRIPT'],
    ],
    ['an empty script', active({ '/AA': { '/WP': { '/S': '/JavaScript', '/JS': 'u: ' } } }), []],
    [
      'in the list of files',
      active({ '/Names': { '/EmbeddedFiles': { '/Names': ['u:a', FILE] } } }, { 9: STREAM }),
      ['EMBEDDED_FILE'],
    ],
    [
      'a file of which only the name is left',
      active({ '/Names': { '/EmbeddedFiles': { '/Names': ['u:a', FILE] } } }),
      [],
    ],
    ['a program for forms', active({ '/AcroForm': { '/XFA': ['u:template', '9 0 R'] } }, { 9: STREAM }), ['XFA']],
    ['an empty program for forms', active({ '/AcroForm': { '/XFA': [] } }), []],
    [
      'in a field below a field',
      active(
        { '/AcroForm': { '/Fields': ['8 0 R'] } },
        { 8: { '/Kids': ['9 0 R', '8 0 R'] }, 9: { '/A': { '/S': '/SubmitForm' } } },
      ),
      ['SUBMIT_FORM'],
    ],
    [
      'Acrobat’s own in a field',
      active({ '/AcroForm': { '/Fields': [{ '/AA': { '/F': FORMAT } }] } }),
      ['FIELD_SCRIPT'],
    ],
    ['Acrobat’s own elsewhere', active({ '/AA': { '/WP': FORMAT } }), ['JAVASCRIPT']],
    [
      'in the outline',
      active({ '/Outlines': { '/First': '9 0 R' } }, { 9: { '/Next': '9 0 R', '/A': { '/S': '/Launch' } } }),
      ['LAUNCH'],
    ],
    ['when a page opens', onPage({ '/AA': { '/O': SCRIPT } }), ['JAVASCRIPT', 'PAGE_ACTION']],
    ['a page that does nothing', onPage({ '/AA': {} }), []],
    [
      'behind a link',
      onPage({ '/Annots': ['9 0 R'] }, { 9: { '/Subtype': '/Link', '/A': { '/S': '/GoToR' } } }),
      ['REMOTE_GOTO'],
    ],
    [
      'behind a paper clip',
      onPage({ '/Annots': [{ '/Subtype': '/FileAttachment', '/FS': FILE }] }, { 9: STREAM }),
      ['EMBEDDED_FILE'],
    ],
    ['a film', onPage({ '/Annots': [{ '/Subtype': '/RichMedia' }] }), ['RICH_MEDIA']],
    [
      'a film that a screen plays',
      onPage({ '/Annots': [{ '/Subtype': '/Screen', '/A': { '/S': '/Rendition' } }] }),
      ['RICH_MEDIA'],
    ],
    ['an empty screen', onPage({ '/Annots': [{ '/Subtype': '/Screen' }] }), []],
    ['nothing, where nothing points', active({}, { 9: SCRIPT }), []],
    ['nothing, where only a word says so', active({ '/StructTreeRoot': { '/RoleMap': { '/Movie': '/Figure' } } }), []],
    ['nothing, in a text', active({ '/Remark': 'u:"/JS": "/Launch"' }), []],
  ])('%s', async (_, found, expected) => {
    expect(await found).toEqual(expected)
  })
})

describe('a script of a field', () => {
  it.each([
    'AFNumber_Format(2, 0, 0, 0, "$", true);',
    'AFDate_FormatEx("dd/mm/yyyy")',
    'AFSpecial_Keystroke(0); AFRange_Validate(true, 0, false, -1.5);',
    'AFSimple_Calculate("SUM", new Array ("a", "b (c)"));',
    '\r\nAFTime_Keystroke(0);\r\n',
  ])('is Acrobat’s own: %s', (script) => {
    expect(isFieldScript(script)).toBe(true)
  })

  it.each([
    '',
    'AFNumber_Format',
    'AFNumber_Format(app.launchURL("http://example.org/"))',
    'AFNumber_Format(2); app.alert(1)',
    'AFNumber_Format(2) + app.alert(1)',
    'AFUnknown(1)',
    'AFDate_FormatEx("a" + app.alert(1))',
    'function AFNumber_Format(a) { app.alert(1) } AFNumber_Format(1)',
    `AFDate_FormatEx("${'x'.repeat(5000)}")`,
  ])('is custom: %s', (script) => {
    expect(isFieldScript(script)).toBe(false)
  })
})
