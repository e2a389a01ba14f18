// Style of the print view. Fonts of the system, those with Thai letters first; black on white, for any printer.

export const PRINT_STYLE = `
@page { size: A4; margin: 12mm 13mm; }
* { box-sizing: border-box; }
body { margin: 0; background: #e9edf1; color: #000; font: 9.5pt/1.4 "Sarabun", "TH Sarabun New", "Noto Sans Thai", "Thonburi", "Leelawadee UI", "Loma", sans-serif; overflow-wrap: anywhere; }
main { max-width: 184mm; margin: 0 auto 24px; padding: 12mm; background: #fff; }
.screen { max-width: 184mm; margin: 0 auto; padding: 16px 0; }
button { min-height: 46px; padding: 8px 20px; border: 0; border-radius: 10px; background: #12395f; color: #fff; font: inherit; font-weight: 600; cursor: pointer; }
button:focus-visible { outline: 3px solid #1b5a96; outline-offset: 2px; }
h1 { margin: 0 0 6px; font-size: 17pt; line-height: 1.3; }
p { margin: 0; }
[lang=en] { color: #333; font-size: 0.85em; }
h1 [lang=en] { margin-left: 10px; font-weight: 400; font-size: 0.6em; }
button [lang=en] { margin-left: 8px; color: inherit; font-weight: 400; }
header { display: flex; gap: 8mm; justify-content: space-between; }
dl { display: grid; grid-template-columns: 32mm 1fr; gap: 2px 8px; margin: 0; }
dt { color: #333; }
dt [lang=en], th [lang=en] { display: block; line-height: 1.15; }
dd { margin: 0; font-weight: 600; }
dd [lang=en], .soft { font-weight: 400; }
.soft { color: #333; font-size: 0.85em; }
.older { margin: 0 0 6px; padding: 4px 8px; border: 1.5pt solid #000; font-weight: 600; }
figure { flex: none; width: 46mm; margin: 0; text-align: center; }
svg { display: block; width: 46mm; height: 46mm; background: #fff; }
figcaption { font-size: 9pt; line-height: 1.3; }
figcaption [lang=en], figcaption small { display: block; }
time [lang=en] { display: inline-block; }
table { width: 100%; margin-top: 4mm; border-collapse: collapse; font-size: 9pt; line-height: 1.3; }
th, td { padding: 2px 5px 0; text-align: left; vertical-align: top; }
thead { border-bottom: 1pt solid #000; }
tbody { border-bottom: 0.5pt solid #888; break-inside: avoid; }
tr + tr td { padding: 0 5px 2px; }
th:nth-child(3), td:nth-child(3) { width: 22mm; text-align: right; white-space: nowrap; }
th:nth-child(4), td:nth-child(4) { width: 55mm; }
td time [lang=en] { display: block; }
td:first-child { width: 8mm; }
td strong [lang=en] { font-weight: 400; }
thead { display: table-header-group; }
.name { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 1; word-break: break-all; overflow: hidden; }
code { font: 7.5pt/1.3 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
em { font-style: normal; }
footer { margin-top: 4mm; font-size: 8pt; }
.long table { font-size: 7.5pt; line-height: 1.2; }
.long code { font-size: 6.5pt; }
@media print { body { background: none; } main { max-width: none; margin: 0; padding: 0; } .screen { display: none; } }
@media (max-width: 640px) { main { padding: 16px; } header { flex-direction: column; } .screen { padding: 16px; } dl { grid-template-columns: 1fr; } }
`
