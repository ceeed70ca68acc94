<?php

/**
 * Behind the gear of Manage Modules.
 *
 * @var ?list<array{bool, string}> $lines what the test found; null: it has not run
 * @var list<string>               $categories
 * @var string                     $token
 */

?>
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title><?php echo xlt('Video visits'); ?></title></head>
<body style="font-family: sans-serif; margin: 1rem">
<h1><?php echo xlt('Video visits'); ?></h1>
<p><?php echo xlt('The settings are in Admin, Config, Video visits.'); ?></p>
<form method="post">
    <input type="hidden" name="csrf_token_form" value="<?php echo attr($token); ?>">
    <button type="submit"><?php echo xlt('Test the connection'); ?></button>
</form>
<?php if ($lines !== null) { ?>
<ul>
    <?php foreach ($lines as [$isWell, $sentence]) { ?>
    <li><strong><?php echo $isWell ? '✓' : '✗'; ?></strong> <?php echo text($sentence); ?></li>
    <?php } ?>
</ul>
<?php } ?>
<h2><?php echo xlt('Categories'); ?></h2>
<ul>
    <?php foreach ($categories as $category) { ?>
    <li><?php echo text($category); ?></li>
    <?php } ?>
</ul>
</body>
</html>
