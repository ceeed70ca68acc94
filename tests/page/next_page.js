// The page of the application: a meeting with the properties that its query has as JSON.

import { JitsiMeeting } from '../../clients/react/meeting.js';
import { StrictMode, createElement } from 'react';
import { createRoot } from 'react-dom/client';

const properties = JSON.parse(new URLSearchParams(location.search).get('properties'));
const root = createRoot(document.querySelector('#root'));
window.ended = 0;
window.unmount = () => root.unmount();
const onMeetingEnd = () => (window.ended += 1);
const meeting = createElement(JitsiMeeting, { ...properties, onMeetingEnd });
root.render(properties.strict ? createElement(StrictMode, null, meeting) : meeting);
