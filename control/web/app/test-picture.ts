const width = 960;
const height = 540;
const framesPerSecond = 15;

/**
 * Makes a stream that needs no camera: a moving picture with a clock, a name and
 * a frame counter, and a soft tone at each full second, by which one hears and
 * sees whether sound and picture run together. It ends when its tracks are stopped.
 * @param name written into the picture; it also picks colour and pitch
 */
export function makeTestPicture(name: string): MediaStream {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new Error("This browser draws no pictures.");
  const hue = hueOf(name);
  const sound = makeTone(220 * 2 ** ((hue % 12) / 12));
  const stream = canvas.captureStream(framesPerSecond);
  for (const track of sound.stream.getAudioTracks()) stream.addTrack(track);
  let frame = 0;
  let second = new Date().getSeconds();
  draw(context, name, hue, frame);
  const timer = setInterval(() => {
    if (stream.getTracks().every(({ readyState }) => readyState === "ended")) {
      clearInterval(timer);
      sound.close();
      return;
    }
    const now = new Date();
    if (now.getSeconds() !== second) {
      second = now.getSeconds();
      sound.blip();
    }
    draw(context, name, hue, ++frame);
  }, 1000 / framesPerSecond);
  return stream;
}

/** A hue between 0 and 359 that belongs to a name. */
export function hueOf(name: string): number {
  let hash = 2_166_136_261;
  for (const letter of name) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16_777_619);
  }
  return (hash >>> 8) % 360;
}

function draw(to: CanvasRenderingContext2D, name: string, hue: number, frame: number) {
  const now = new Date();
  const fraction = now.getMilliseconds() / 1000;
  const sky = to.createLinearGradient(0, 0, width, height);
  sky.addColorStop(0, `hsl(${hue} 45% 22%)`);
  sky.addColorStop(1, `hsl(${(hue + 40) % 360} 55% 36%)`);
  to.fillStyle = sky;
  to.fillRect(0, 0, width, height);
  drawWater(to, hue, frame);
  // A hand that goes round once a second shows stutter at a glance.
  const [x, y, radius] = [width - 110, 110, 62];
  to.lineWidth = 8;
  to.strokeStyle = "rgb(255 255 255 / 25%)";
  to.beginPath();
  to.arc(x, y, radius, 0, Math.PI * 2);
  to.stroke();
  to.strokeStyle = "white";
  to.beginPath();
  to.arc(x, y, radius, -Math.PI / 2, -Math.PI / 2 + fraction * Math.PI * 2);
  to.stroke();
  to.fillStyle = "white";
  to.textBaseline = "alphabetic";
  to.font = "600 104px ui-monospace, Menlo, Consolas, monospace";
  to.fillText(now.toTimeString().slice(0, 8), 56, 250);
  to.font = "500 54px system-ui, sans-serif";
  to.fillText(name, 60, 126, width - 300);
  to.font = "500 36px ui-monospace, Menlo, Consolas, monospace";
  to.fillText(`frame ${String(frame).padStart(6, "0")}`, 60, 316);
}

function drawWater(to: CanvasRenderingContext2D, hue: number, frame: number): void {
  for (const [index, lift] of [0, 46, 92].entries()) {
    to.fillStyle = `hsl(${(hue + 190) % 360} 70% ${62 - index * 12}% / 55%)`;
    to.beginPath();
    to.moveTo(0, height);
    for (let x = 0; x <= width; x += 24) {
      const wave = Math.sin(x / (110 + index * 30) + frame / (9 + index * 4));
      to.lineTo(x, height - 150 + lift + wave * 16);
    }
    to.lineTo(width, height);
    to.fill();
  }
}

function makeTone(frequency: number) {
  const audio = new AudioContext();
  const oscillator = new OscillatorNode(audio, { frequency });
  const gain = new GainNode(audio, { gain: 0 });
  const destination = audio.createMediaStreamDestination();
  oscillator.connect(gain).connect(destination);
  oscillator.start();
  return {
    stream: destination.stream,
    blip() {
      const at = audio.currentTime;
      gain.gain.cancelScheduledValues(at);
      gain.gain.setValueAtTime(0.12, at);
      gain.gain.setTargetAtTime(0, at + 0.04, 0.05);
    },
    close() {
      void audio.close();
    },
  };
}
