export const stylesheet = `
:root{color-scheme:light dark;--ink:#1d2733;--quiet:#667586;--line:#dfe5eb;--paper:#fff;--card:#f6f8fa;--blue:#0b6e99;--good:#197a43;--bad:#b3261e}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf0;--quiet:#9aa8b5;--line:#33404c;--paper:#131a21;--card:#1b242d;--blue:#5bb8e0;--good:#5fca8d;--bad:#ff8a80}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:32px;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
header{display:flex;align-items:center;gap:16px;border-bottom:2px solid var(--line);padding-bottom:12px}
h1{font-size:26px;margin:0}h2{font-size:17px;margin:32px 0 12px}
.phase{padding:2px 12px;border-radius:99px;background:var(--card);color:var(--blue);font-weight:600}
.phase.completed{color:var(--good)}.phase.failed,.phase.parked{color:var(--bad)}
.cards{display:flex;flex-wrap:wrap;gap:12px;margin-top:20px}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px 18px;min-width:150px}
.card b{display:block;font-size:24px}.card span{color:var(--quiet);font-size:13px}
.good b,p.good{color:var(--good)}.bad b,p.bad{color:var(--bad)}
.bar{display:grid;grid-template-columns:190px 1fr 220px;gap:12px;align-items:center;margin:5px 0}
.bar .label{color:var(--quiet)}.track{background:var(--card);border-radius:4px;height:14px;overflow:hidden}
.track i{display:block;height:100%;min-width:2px;background:var(--blue)}.value{font-variant-numeric:tabular-nums}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:13.5px}
th{text-align:left;color:var(--quiet);font-weight:600}th,td{padding:5px 10px;border-bottom:1px solid var(--line);white-space:nowrap}.wrap td{white-space:pre-line;vertical-align:top;overflow-wrap:anywhere}.wrap td:first-child{white-space:nowrap}
.n{text-align:right;font-variant-numeric:tabular-nums}.tables td:last-child{font-family:ui-monospace,monospace;font-size:12px}
code{font-family:ui-monospace,monospace;background:var(--card);padding:2px 6px;border-radius:4px}
footer{margin-top:40px;color:var(--quiet);font-size:13px}
`;
