// Curves with bands, bars, maps of the plane and tables that sort, from the tables of the page.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const width = 480, height = 250;
  const margin = {left: 58, right: 12, top: 10, bottom: 34};

  const make = (parent, name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };
  const shown = (value) => value === null ? "none" : String(Number(value.toPrecision(4)));

  // At most `count` round numbers between low and high.
  const ticks = (low, high, count) => {
    const raw = (high - low) / count;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
    const result = [];
    for (let k = Math.ceil(low / step); k * step <= high; ++k) result.push(k * step);
    return result;
  };
  const span = (values) => {
    const known = values.filter(Number.isFinite);
    let low = Math.min(...known), high = Math.max(...known);
    if (!(high > low)) { const room = Math.abs(low) || 1; low -= 0.5 * room; high += 0.5 * room; }
    return [low, high];
  };
  const scale = ([low, high], from, to) => (v) => from + (v - low) / (high - low) * (to - from);

  const frame = (parent, title) => {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    const name = document.createElement("span");
    const readout = document.createElement("output");
    name.textContent = title;
    caption.append(name, readout);
    figure.append(caption);
    const svg = make(figure, "svg", {viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title});
    parent.append(figure);
    return {svg, readout};
  };
  const axes = (svg, xs, ys, names) => {
    const bottom = height - margin.bottom;
    const x = scale(xs, margin.left, width - margin.right), y = scale(ys, bottom, margin.top);
    for (const v of ticks(...xs, 6)) {
      make(svg, "line", {class: "axis", x1: x(v), x2: x(v), y1: margin.top, y2: bottom});
      make(svg, "text", {x: x(v), y: bottom + 14, "text-anchor": "middle"}, shown(v));
    }
    for (const v of ticks(...ys, 5)) {
      make(svg, "line", {class: v === 0 ? "zero" : "axis", x1: margin.left, x2: width - margin.right, y1: y(v), y2: y(v)});
      make(svg, "text", {x: margin.left - 6, y: y(v) + 4, "text-anchor": "end"}, shown(v));
    }
    make(svg, "text", {x: width - margin.right, y: height - 4, "text-anchor": "end"}, names[0]);
    if (names[1]) make(svg, "text", {x: 2, y: height - 4}, "↑ " + names[1]);
    return {x, y};
  };
  // The pointer's place in units of the drawing.
  const follow = (svg, found) => {
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      found((event.clientX - box.left) / box.width * width, (event.clientY - box.top) / box.height * height);
    });
  };
  const nearest = (count, distance) => {
    let best = 0;
    for (let k = 1; k < count; ++k) if (distance(k) < distance(best)) best = k;
    return best;
  };

  // A curve with a band of two standard errors.
  const curve = (parent, title, axis, points) => {
    points = points.filter((p) => p.x !== null && p.y !== null).sort((a, b) => a.x - b.x);
    if (points.length < 2) return;
    const {svg, readout} = frame(parent, title);
    const {x, y} = axes(svg, span(points.map((p) => p.x)),
                        span(points.flatMap((p) => [p.y - 2 * p.e, p.y + 2 * p.e])), [axis]);
    const line = (value, list) => list.map((p) => `${x(p.x).toFixed(1)},${y(value(p)).toFixed(1)}`);
    make(svg, "polygon", {class: "band", points: [...line((p) => p.y + 2 * p.e, points),
                          ...line((p) => p.y - 2 * p.e, [...points].reverse())].join(" ")});
    make(svg, "polyline", {class: "curve", points: line((p) => p.y, points).join(" ")});
    const here = make(svg, "line", {class: "here", x1: -9, x2: -9, y1: margin.top, y2: height - margin.bottom});
    follow(svg, (at) => {
      const p = points[nearest(points.length, (k) => Math.abs(x(points[k].x) - at))];
      here.setAttribute("x1", x(p.x));
      here.setAttribute("x2", x(p.x));
      readout.textContent = `${axis} = ${shown(p.x)}: ${shown(p.y)} ± ${shown(p.e)}`;
    });
  };

  // Values one below the other, with bars of two standard errors.
  const bars = (parent, title, points) => {
    points = points.filter((p) => p.y !== null);
    // One axis for all: small ones would be dots at zero beside large ones.
    const reach = points.map((p) => Math.abs(p.y) + 2 * p.e);
    if (points.length === 0 || points.length > 60 || Math.max(...reach) > 30 * Math.min(...reach)) return;
    const {svg, readout} = frame(parent, title);
    const tall = 24 * points.length + 40;
    svg.setAttribute("viewBox", `0 0 ${width} ${tall}`);
    const range = span([0, ...points.flatMap((p) => [p.y - 2 * p.e, p.y + 2 * p.e])]);
    const x = scale(range, 130, width - margin.right);
    for (const v of ticks(...range, 5)) {
      make(svg, "line", {class: v === 0 ? "zero" : "axis", x1: x(v), x2: x(v), y1: 6, y2: tall - 28});
      make(svg, "text", {x: x(v), y: tall - 12, "text-anchor": "middle"}, shown(v));
    }
    points.forEach((p, k) => {
      const y = 20 + 24 * k;
      make(svg, "text", {x: 122, y: y + 4, "text-anchor": "end"}, p.name);
      make(svg, "line", {class: "bar", x1: x(p.y - 2 * p.e), x2: x(p.y + 2 * p.e), y1: y, y2: y});
      make(svg, "circle", {class: "point", cx: x(p.y), cy: y, r: 4});
    });
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const row = Math.floor(((event.clientY - box.top) / box.height * tall - 8) / 24);
      const p = points[Math.max(0, Math.min(points.length - 1, row))];
      readout.textContent = `${p.name}: ${shown(p.y)} ± ${shown(p.e)}`;
    });
  };

  // Blue below zero, orange above; from white to blue where there is no zero inside.
  const colour = (value, [low, high]) => {
    const mixed = (a, b, s) => `rgb(${a.map((v, k) => Math.round(v + (b[k] - v) * s)).join(",")})`;
    const white = [245, 245, 245], blue = [0, 90, 160], orange = [200, 80, 0];
    if (low >= 0) return mixed(white, blue, (value - low) / (high - low));
    const most = Math.max(-low, high);
    return value < 0 ? mixed(white, blue, -value / most) : mixed(white, orange, value / most);
  };
  // Values over a plane, a tile to each point of a grid, a dot to each point elsewhere.
  const map = (parent, title, names, points) => {
    points = points.filter((p) => p.y !== null);
    if (points.length < 4) return;
    const {svg, readout} = frame(parent, title);
    const us = [...new Set(points.map((p) => p.u))].sort((a, b) => a - b);
    const vs = [...new Set(points.map((p) => p.v))].sort((a, b) => a - b);
    const isGrid = us.length * vs.length <= 1.05 * points.length && us.length > 1 && vs.length > 1;
    const half = (list) => isGrid ? (list.at(-1) - list[0]) / (list.length - 1) / 2 : 0;
    const [du, dv] = [half(us), half(vs)];
    const {x, y} = axes(svg, span([us[0] - du, us.at(-1) + du]), span([vs[0] - dv, vs.at(-1) + dv]), names);
    const range = span(points.map((p) => p.y));
    for (const p of points) {
      const fill = colour(p.y, range);
      if (isGrid) {
        make(svg, "rect", {x: x(p.u - du), y: y(p.v + dv), width: x(p.u + du) - x(p.u - du) + 0.4,
                           height: y(p.v - dv) - y(p.v + dv) + 0.4, fill});
      } else {
        make(svg, "circle", {cx: x(p.u), cy: y(p.v), r: 4, fill});
      }
    }
    follow(svg, (px, py) => {
      const p = points[nearest(points.length, (k) => (x(points[k].u) - px) ** 2 + (y(points[k].v) - py) ** 2)];
      readout.textContent = `(${shown(p.u)}, ${shown(p.v)}): ${shown(p.y)} ± ${shown(p.e)}`;
    });
  };

  const isError = (name, of) =>
    name === "stderr" || name === of + "_stderr" || (name !== undefined && name.startsWith("stderr."));
  const draw = (parent, {columns, names, rows}) => {
    const valued = columns.map((name, k) => k).filter((k) => isError(columns[k + 1], columns[k]));
    if (valued.length === 0) return;
    if (rows.length === 1 || names.length > 0) {
      const points = rows.flatMap((row, r) => valued.map((k) => (
        {name: (names[r] ?? "") + (valued.length > 1 || !names[r] ? " " + columns[k].replace(/^response\./, "by ") : ""),
         y: row[k], e: row[k + 1] ?? 0})));
      const mean = points.filter((p) => p.name.trim() !== "value");
      return bars(parent, "± two standard errors", mean.length > 0 ? mean : points);
    }
    const places = columns.slice(0, valued[0]).map((name, k) => k).filter((k) => new Set(rows.map((row) => row[k])).size > 1);
    const axis = places.at(-1) ?? 0;
    const isPlane = places.length === 2 && columns[places[0]] !== "t" && columns[places[0]] !== "individual";
    if (places.length > 2 && !["t", "individual"].includes(columns[places[0]])) return;
    const groups = new Map();
    for (const row of rows) {
      const others = isPlane ? [] : places.slice(0, -1);
      const key = others.map((k) => `${columns[k]} = ${shown(row[k])}`).join(", ");
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(row);
    }
    for (const k of valued) {
      for (const [key, list] of [...groups].slice(0, 12)) {
        const title = columns[k] + (key ? " at " + key : "");
        if (isPlane) {
          map(parent, title, [columns[places[0]], columns[places[1]]],
              list.map((row) => ({u: row[places[0]], v: row[places[1]], y: row[k], e: row[k + 1] ?? 0})));
        } else {
          curve(parent, title, columns[axis], list.map((row) => ({x: row[axis], y: row[k], e: row[k + 1] ?? 0})));
        }
      }
    }
  };

  const sortBy = (table, column) => {
    const head = table.tHead.rows[0].cells;
    const turned = head[column].getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const cell of head) cell.removeAttribute("aria-sort");
    head[column].setAttribute("aria-sort", turned);
    const value = (row) => row.cells[column].textContent === "" ? Infinity : Number(row.cells[column].textContent);
    const rows = [...table.tBodies[0].rows].sort((a, b) => value(a) - value(b));
    if (turned === "descending") rows.reverse();
    table.tBodies[0].append(...rows);
  };

  const tables = JSON.parse(document.getElementById("tables").textContent);
  for (const place of document.querySelectorAll(".charts")) draw(place, tables[Number(place.dataset.table)]);
  for (const table of document.querySelectorAll("table.numbers")) {
    for (const cell of table.tHead.rows[0].cells) {
      cell.querySelector("button")?.addEventListener("click", () => sortBy(table, cell.cellIndex));
    }
  }
})();
