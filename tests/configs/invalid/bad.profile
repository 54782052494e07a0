name = 'auto'
