// Security headers of the page: everything comes from this service, and there are no inline scripts.

import type { Config } from '../core/config.ts'

/**
 * Headers of the page.
 *
 * `blob:` media: the page reads the length of a chosen file. Frames: the portals
 * in CORS_ORIGINS may show this page inside their own.
 */
export function pageHeaders({ publicUrl, corsOrigins }: Config['http']): Record<string, string> {
  // Links and upload URLs use PUBLIC_URL, even if the page was opened under another host name.
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
    // No code of the page makes HTML from text.
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
