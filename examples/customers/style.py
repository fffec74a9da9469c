"""How a report looks: one style sheet for light and dark, for wide screens and for telephones."""

STYLE = """
:root { color-scheme: light dark; --page: #f4f6f9; --card: #fff; --ink: #1f2933; --soft: #5f6b7a; --line: #dfe4ea;
  --blue: #2f6fde; --orange: #c05f0a; --wash: #e9f0fc; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161c; --card: #1b2129; --ink: #e6eaf0; --soft: #9aa6b5; --line: #2d3641;
    --blue: #77a6f7; --orange: #f0a04b; --wash: #22304a; }
  img { filter: invert(1) hue-rotate(180deg); }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 20px 56px; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; letter-spacing: -0.02em; }
h2 { margin: 0 0 2px; font-size: 16px; }
p { margin: 0; color: var(--soft); }
header p { margin-top: 4px; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 14px; }
.chip { padding: 2px 11px; border-radius: 99px; background: var(--wash); color: var(--blue); font-size: 13px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin: 26px 0 12px; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tile { padding: 14px 16px 12px; }
.tile b { display: block; font-size: 25px; font-weight: 600; letter-spacing: -0.01em; }
.tile b, table { font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 13px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 12px; }
.card { padding: 18px 20px; min-width: 0; }
.card p { font-size: 13.5px; }
.card img { display: block; width: 100%; height: auto; margin-top: 12px; }
@media (min-width: 940px) {
  .cards .card:last-child:nth-child(odd) { grid-column: 1 / -1; display: grid; column-gap: 32px;
    grid-template: auto 1fr / 1fr 1fr; }
  .cards .card:last-child:nth-child(odd) img { grid-area: 1 / 2 / 3 / 3; margin-top: 0; }
}
.wide { margin-top: 12px; }
.scroll { overflow-x: auto; margin-top: 12px; }
table { width: 100%; border-collapse: collapse; font-size: 13.5px; white-space: nowrap; }
th, td { padding: 6px 18px 6px 0; border-bottom: 1px solid var(--line); text-align: left; }
th { color: var(--soft); font-weight: 500; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; padding-right: 40px; }
tr.wrong td { color: var(--orange); }
footer { margin-top: 22px; color: var(--soft); font-size: 13px; }
"""
