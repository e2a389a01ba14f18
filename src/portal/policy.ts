// What the page may do, as its headers say it. Everything comes from this service; scripts only as files of their own.

import type { Config } from '../core/config.ts'

/**
 * Headers of the page.
 *
 * `blob:` media is a file that a person has just chosen, looked at for its length before it is sent. Frames: the portals
 * whose pages may call the API may also show this page inside their own.
 */
export function pageHeaders({ publicUrl, corsOrigins }: Config['http']): Record<string, string> {
  // Links and upload addresses are of PUBLIC_URL, also where the page was opened under another name of this machine.
  const here = ["'self'", ...(publicUrl === undefined ? [] : [new URL(publicUrl).origin])].join(' ')
  const portals = corsOrigins.filter((origin) => origin !== '*')
  const csp = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `connect-src ${here}`,
    `img-src ${here}`,
    `media-src ${here} blob:`,
    "base-uri 'none'",
    "form-action 'none'",
    ['frame-ancestors', "'self'", ...portals].join(' '),
    // Nothing here makes HTML from text, and nothing may begin to.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]
  return {
    'content-security-policy': csp.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
}
