<?php

// What Manage Modules shows as the release.
$v_major = '1';
$v_minor = '0';
$v_patch = '0';
