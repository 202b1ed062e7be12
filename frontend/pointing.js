// Pointing: what the mouse, a finger or two do on the photo: a tap, a drag or a pinch.
//
// The page must still scroll under a finger that rests on the photo. So a finger that sets off upward or
// downward scrolls, as on any page; it drags where it sets off sideways or aslant, where it has been held
// for a moment first, and on a handle.

const DRAG_PIXELS = 6; // less is a tap
const HELD_MS = 250;
const UPRIGHT = Math.tan((25 * Math.PI) / 180); // a thumb's swipe leans by less

/** Follow the pointers on an element. Points are shares of its width and height. `tap` hears a point and the
 * element there; `drag` the same where one begins, and returns what hears each next point; `pinch`
 * returns what hears how much wider the fingers are apart, and the points between them at first and now.
 * `handle` says whether an element is there to be dragged and for nothing else. */
export function followPointers(stage, { tap, drag, pinch, handle }) {
  const down = new Map(); // the pointers by id, where each is
  let first = null; // the event that began it
  let move = null; // what hears of it, once it is known what it is
  let over = false; // it is a scroll, or ends: wait until all pointers are up

  const share = ({ x, y }) => {
    const { left, top, width, height } = stage.getBoundingClientRect();
    return [(x - left) / width, (y - top) / height].map((value) => Math.min(1, Math.max(0, value)));
  };
  const place = ({ clientX: x, clientY: y }) => ({ x, y });

  function begin(event) {
    if (event.button !== 0 && event.pointerType === "mouse") return;
    down.set(event.pointerId, place(event));
    if (down.size === 1) first = event;
    else if (!over && down.size === 2) {
      const fingers = [...down.values()];
      const [width, middle] = spread(fingers);
      const heard = pinch();
      move = () => {
        const [now, between] = spread([...down.values()]);
        heard(now / width, share(middle), share(between));
      };
    }
  }

  function go(event) {
    if (!down.has(event.pointerId) || over) return;
    down.set(event.pointerId, place(event));
    if (!move) {
      const [dx, dy] = [event.clientX - first.clientX, event.clientY - first.clientY];
      if (Math.hypot(dx, dy) < DRAG_PIXELS) return;
      const upright = Math.abs(dx) < UPRIGHT * Math.abs(dy);
      const held = event.timeStamp - first.timeStamp > HELD_MS;
      if (first.pointerType === "touch" && upright && !held && !handle(first.target)) {
        over = true;
        return;
      }
      const heard = drag(share(place(first)), first);
      move = (e) => heard(share(place(e)));
      stage.setPointerCapture(first.pointerId); // not before: a captured click is the stage's
    }
    move(event);
  }

  function end(event) {
    if (!down.delete(event.pointerId)) return;
    if (event.type === "pointerup" && !move && !over) tap(share(place(event)), first);
    over = down.size > 0;
    if (!over) move = null;
  }

  stage.addEventListener("pointerdown", begin);
  stage.addEventListener("pointermove", go);
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);
  // Only this keeps the browser from scrolling: touch-action is settled before the finger has moved.
  stage.addEventListener("touchmove", (event) => move && event.cancelable && event.preventDefault(), {
    passive: false,
  });
}

/** How far apart two points are, and the point between them. */
const spread = ([one, other]) => [
  Math.max(1, Math.hypot(one.x - other.x, one.y - other.y)),
  { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 },
];
