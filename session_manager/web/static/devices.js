// Microphone and camera of this machine: opened with what is there, a fault told as a sentence, a level to look at.

import { t } from "./dom.js";

const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const VIDEO = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 15, max: 15 } };

const asked = (base, deviceId) => (deviceId ? { ...base, deviceId: { exact: deviceId } } : base);

function sentence(kind, error) {
  if (!navigator.mediaDevices) return t("devices.insecure");
  const audio = kind === "audio";
  switch (error?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return audio ? t("devices.mic_denied") : t("devices.camera_denied");
    case "NotFoundError":
    case "OverconstrainedError":
      return audio ? t("devices.mic_missing") : t("devices.camera_missing");
    case "NotReadableError":
    case "AbortError":
      return audio ? t("devices.mic_busy") : t("devices.camera_busy");
    default:
      return audio ? t("devices.mic_failed") : t("devices.camera_failed");
  }
}

async function openOne(kind, deviceId) {
  const constraints = kind === "audio" ? { audio: asked(AUDIO, deviceId) } : { video: asked(VIDEO, deviceId) };
  const stream = await navigator.mediaDevices.getUserMedia(constraints);
  const [track] = stream.getTracks();
  if (kind === "audio") track.contentHint = "speech";
  return track;
}

/**
 * Open what is wanted: `{audio: {deviceId} | null, video: {deviceId} | null}`. Gives `{audio, video, problems}`: tracks
 * or null, and one sentence for each that could not be opened. Never throws.
 */
export async function openDevices(wanted) {
  const found = { audio: null, video: null, problems: [] };
  for (const kind of ["audio", "video"]) {
    if (!wanted[kind]) continue;
    try {
      found[kind] = await openOne(kind, wanted[kind].deviceId);
    } catch (error) {
      const text = sentence(kind, error);
      if (!found.problems.includes(text)) found.problems.push(text);
    }
  }
  return found;
}

export async function listDevices() {
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const named = (kind) => all.filter((device) => device.kind === kind && device.deviceId && device.label);
  return { audio: named("audioinput"), video: named("videoinput") };
}

/** Both were allowed before, so looking at oneself asks nothing. */
export async function alreadyAllowed() {
  try {
    const states = await Promise.all(["microphone", "camera"].map((name) => navigator.permissions.query({ name })));
    return states.every(({ state }) => state === "granted");
  } catch {
    return false;
  }
}

/** Calls `show` ten times a second with the loudness of a track, 0 to 1. Returns the function that stops it. */
export function watchLevel(track, show) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    if (context.state === "suspended") context.resume().catch(() => {});
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    show(Math.max(0, Math.min(1, (10 * Math.log10(power + 1e-9) + 60) / 50)));
  }, 100);
  return () => {
    clearInterval(timer);
    context.close().catch(() => {});
  };
}
