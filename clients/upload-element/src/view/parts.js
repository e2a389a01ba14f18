// What a portal may style by `::part()`: the classes of the element that stay as they are. All others may change.

/** @internal */
export const PARTS = [
  'accepted',
  'actions',
  'applicant',
  'bar',
  'button',
  'card',
  'checking',
  'deadline',
  'dialog',
  'facts',
  'file',
  'fill',
  'foot',
  'formats',
  'heading',
  'line',
  'main',
  'name',
  'note',
  'notice',
  'number',
  'plain',
  'preview',
  'problems',
  'rejected',
  'rules',
  'small',
  'standing',
  'state',
  'summary',
  'tray',
]

/** The parts among these classes. @param {string} classes */
export function partsOf(classes) {
  return classes
    .split(' ')
    .filter((name) => PARTS.includes(name))
    .join(' ')
}
