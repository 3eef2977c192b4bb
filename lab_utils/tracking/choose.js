// The first frame of a video on which a box is drawn with the mouse; `box` is [x, y, width, height] in its pixels.
function render({ model, el }) {
  const canvas = document.createElement("canvas");
  const text = document.createElement("div");
  const picture = new Image();
  canvas.style.cssText = "max-width: 100%; cursor: crosshair; touch-action: none";
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "First frame; drag to draw the box");
  el.append(canvas, text);
  let corner = null;

  function draw() {
    const [x, y, width, height] = model.get("box");
    const pen = canvas.getContext("2d");
    pen.drawImage(picture, 0, 0);
    pen.strokeStyle = "#E69F00";
    pen.lineWidth = Math.max(2, canvas.width / 400);
    pen.strokeRect(x, y, width, height);
    text.textContent = `box: ${[x, y, width, height].map((value) => value.toFixed(0)).join(", ")} (drag to change)`;
  }

  function at(event) {
    const area = canvas.getBoundingClientRect();
    const inside = (value, most) => Math.min(Math.max(value, 0), most);
    return [
      inside(((event.clientX - area.left) * canvas.width) / area.width, canvas.width),
      inside(((event.clientY - area.top) * canvas.height) / area.height, canvas.height),
    ];
  }

  function drag(event) {
    if (!corner) return;
    const end = at(event);
    const low = corner.map((value, i) => Math.min(value, end[i]));
    const size = corner.map((value, i) => Math.abs(end[i] - value));
    if (Math.min(...size) < 2) return; // a click draws no box
    model.set("box", [...low, ...size]);
    draw();
  }

  canvas.addEventListener("pointerdown", (event) => {
    corner = at(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", drag);
  canvas.addEventListener("pointerup", (event) => {
    drag(event);
    corner = null;
    model.save_changes();
  });
  picture.onload = () => {
    canvas.width = picture.naturalWidth;
    canvas.height = picture.naturalHeight;
    draw();
  };
  picture.src = model.get("image");
  model.on("change:box", draw);
}
export default { render };
